"""Rows of other tables amid those of products."""

from pathlib import Path

import pytest

from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.feeds.rows import BadRow

HEADER = "id,title,price,stock,active,colour"
ROWS = ["1,Boot,9.90,3,TRUE,red", "2,Clog,8,2,TRUE,blue", "3,Sock,7,1,FALSE,red", "4,Hat,5,0,TRUE,red"]
NAMES = "names columns, as a header does"
BELOW = "stands below a row that names other columns"
OTHER = "holds other things than the rows around it, e.g. '7' in 'title', where others have words"


@pytest.mark.parametrize(
    ("amid", "reasons"),
    [
        ([",AttributeId,AttributeName,ValueName,IsRequired,DisplayOrder", ",7,Size,41,TRUE,0", ",7,Size,42,TRUE,0"],
         [NAMES, BELOW, BELOW]),
        ([",attribute_id,attribute_name,value_name,,", ",7,Size,41,,"], [NAMES, BELOW]),
        (["AttributeId,AttributeName,ValueName,,,", "7,Size,41,,,", "8,Size,42,,,"], [NAMES, BELOW, BELOW]),
        ([",7,Size,red,12,0"], [OTHER]),
        # Products and updates whose cells are odd.
        (["5,Bag,on request,many,maybe,7"], []),
        ([",Bag,on request,few,TRUE,red"], []),
        (["5,1984,5,0,TRUE,red"], []),
        ([",MacBook,LeCreuset,,,"], []),
        ([",Winter shoes,,,,"], []),
        (["5,Boot,,,,"], []),
    ],
)  # fmt: skip
def test_rows_of_other_tables_are_set_aside(tmp_path: Path, amid: list[str], reasons: list[str]) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("\n".join([HEADER, ROWS[0], *amid, *ROWS[1:]]))
    feed, _ = understood(open_feed(path))
    found = list(feed.rows)
    assert [row.reason for row in found if isinstance(row, BadRow)] == reasons
    assert len(found) == len(ROWS) + len(amid)


def test_a_file_of_one_kind_in_each_column_and_no_ids(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("title,price,stock\nBoot,9,1\nClog,8,2\nSock,7,3\nHat,5,0\n1984,on request,few\n")
    feed, _ = understood(open_feed(path))
    (reason,) = [row.reason for row in feed.rows if isinstance(row, BadRow)]
    assert reason.startswith("holds other things")
