"""What class of evidence a claim rests on"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("claim", sa.Column("evidence", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("claim", "evidence")
