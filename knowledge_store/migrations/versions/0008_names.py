"""Other names of products: SKUs, barcodes, numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "product_name",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "product_id"),
    )
    op.create_index("ix_product_name_product_id", "product_name", ["product_id"])


def downgrade() -> None:
    op.drop_table("product_name")
