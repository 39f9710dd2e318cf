"""What is told of a job by the profiles in a folder."""

from paramon.facts.job import JobFacts
from paramon.sample.profile import open_profile


def facts(path) -> JobFacts:
    return JobFacts(open_profile(str(path)))
