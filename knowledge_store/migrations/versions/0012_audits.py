"""Audits of verified claims, and the thresholds that they move"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("promise", sa.Float(), nullable=False),
        sa.Column("verified_from", sa.Float(), nullable=False),
        sa.Column("strata", sa.JSON(), nullable=False),
        sa.Column("sizes", sa.JSON(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "audited_claim",
        sa.Column("audit_id", sa.Integer(), sa.ForeignKey("audit.id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("stratum", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("found_by", sa.Text(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=True),
    )
    op.create_table(
        "threshold",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("verified_from", sa.Float(), nullable=False),
        sa.Column("audit_id", sa.Integer(), sa.ForeignKey("audit.id"), nullable=True),
    )


def downgrade() -> None:
    for table in ("threshold", "audited_claim", "audit"):
        op.drop_table(table)
