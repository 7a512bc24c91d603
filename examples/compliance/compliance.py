"""An agent of one's own: it flags what a food supplement may not be said to do.

In the European Union a food supplement may not be said to prevent, treat or cure a disease (Regulation (EU) No
1169/2011, article 7(3)).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, Field

import reaseq


class Flag(BaseModel):
    quote: str = Field(description="The words of the product's text, as they stand there.")
    kind: Literal["cures a disease", "prevents a disease", "replaces a medicine"]


class Flags(BaseModel):
    flags: list[Flag]


class ComplianceChecker(reaseq.Agent):
    name = "compliance_checker"
    categories = ("supplements",)
    Reply = Flags

    def applies(self, texts: Mapping[str, str]) -> bool:
        return "description" in texts  # a title alone says nothing that could be forbidden

    def conclude(self, product: reaseq.OwnProduct, reply: Flags) -> Iterable[reaseq.Claim]:
        for flag in reply.flags:
            yield product.claim("health_claim", flag.kind, quote=flag.quote)
