"""The file that a decision stands in"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("decision", sa.Column("source", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("decision", "source")
