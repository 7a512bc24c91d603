"""Which variant a name is of"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("product_name", sa.Column("variant_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("product_name", "variant_id")
