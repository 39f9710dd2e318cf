"""A centre before it is connected. What is asked here takes as long as the centre does."""

from paracloud.client.calls import Calls
from paracloud.wire.surveys import (
    HostKeyModel,
    HostKeyRequest,
    PlanRequest,
    SurveyModel,
    SurveyRequest,
    TrialModel,
    TrialRequest,
)

SURVEY_SECONDS = 300.0
ENDING_SECONDS = 360.0
"""Of a job on trial, after it started: its run, its record, the sweep."""


class SurveyCalls(Calls):
    def check_plan(self, body: PlanRequest) -> None:
        """ApiError for what would be refused of it."""
        self._send("POST", "/operator/centres:check", json=body.model_dump(mode="json"), is_repeatable=True)

    def host_key(self, body: HostKeyRequest) -> HostKeyModel:
        return self._post("/operator/host-keys", HostKeyModel, body)

    def survey(self, body: SurveyRequest) -> SurveyModel:
        return self._post("/operator/surveys", SurveyModel, body, timeout=SURVEY_SECONDS)

    def trial(self, body: TrialRequest) -> TrialModel:
        timeout = body.patience_seconds + ENDING_SECONDS
        return self._post("/operator/trials", TrialModel, body, timeout=timeout)
