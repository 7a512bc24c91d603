"""Who put a product under its category"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("product", sa.Column("category_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("product", "category_by")
