"""Variants of products"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "variant",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "id"),
    )
    op.create_index("ix_variant_id", "variant", ["id"])
    op.create_index("ix_variant_import_id", "variant", ["import_id"])


def downgrade() -> None:
    op.drop_table("variant")
