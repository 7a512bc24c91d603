"""Of which locale products' texts are"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("product", sa.Column("locale", sa.Text()))


def downgrade() -> None:
    op.drop_column("product", "locale")
