"""Versions of prompts, and which of them a call was made with"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "prompt_version",
        sa.Column("fingerprint", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "prompt_binding",
        sa.Column("bound", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("category", sa.Text()),
    )
    op.add_column("llm_call", sa.Column("prompt", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("llm_call", "prompt")
    op.drop_table("prompt_binding")
    op.drop_table("prompt_version")
