"""Agents of one's own, and which agents read a product."""

from reaseq.agents.claims import Claim
from reaseq.agents.own import Agent, OwnProduct, agent
from reaseq.agents.pipeline import Pipeline

__all__ = ["Agent", "Claim", "OwnProduct", "Pipeline", "agent"]
