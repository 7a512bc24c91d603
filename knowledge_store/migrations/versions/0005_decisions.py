"""Decisions of people on claims"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("claim", sa.Column("decided_by", sa.Text(), nullable=True))
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), sa.ForeignKey("product.id"), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.Column("touched", sa.JSON(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_decision_product_id", "decision", ["product_id"])


def downgrade() -> None:
    op.drop_table("decision")
    op.drop_column("claim", "decided_by")
