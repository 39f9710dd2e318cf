"""Another's job, on all of a centre's cpu partition."""

from itertools import count

from demo.stage import Stage
from tests.story.acts import ended, reached, script

NUMBERS = count(1)


class Hog:
    """It leaves with the test that it is there for, also one that fails: it would hold up all that come after."""

    def __init__(self, stage: Stage, centre: str = "east") -> None:
        self._stage, self._tenant = stage, stage.tenant(f"hog{next(NUMBERS)}")
        nodes = len([name for name, of in stage.lab.centres[centre].site.centre.nodes if of.name == "cpu"])
        request = script(self._tenant, "sleep 3600", centre=centre, nodes=str(nodes), exclusive="true", time="60")
        self._job = self._tenant.client.submit(request).id
        try:
            reached(stage, self._tenant, self._job, "running")
        except TimeoutError:
            self.gone()
            raise

    def leave(self) -> None:
        self._tenant.client.wish(self._job, "cancel")

    def state(self) -> str:
        return self._tenant.client.job(self._job).job.state

    def gone(self) -> None:
        if not self._tenant.client.job(self._job).job.is_final:
            self.leave()
            ended(self._stage, self._tenant, self._job)
