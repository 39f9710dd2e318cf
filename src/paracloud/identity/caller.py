"""Who asks, and what they may: values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from paracloud.kit.errors import Forbidden, NotFound
from paracloud.kit.identifiers import ProjectId, TokenId, UserId


class Category(StrEnum):
    """What kind of organisation a customer is: the operator's analytics and price books ask for it."""

    UNIVERSITY = "university"
    INSTITUTE = "institute"
    ENTERPRISE = "enterprise"
    GOVERNMENT = "government"
    INDIVIDUAL = "individual"


class Role(StrEnum):
    """In a project: an owner also manages members, a member runs jobs, a viewer reads."""

    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a token allows at most, whatever its user may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated request's user. `projects` are all that this caller knows of; anything else is NotFound."""

    user: UserId
    token: TokenId
    login: str
    is_operator: bool
    scopes: frozenset[Scope]
    projects: Mapping[ProjectId, Role]

    def reads(self) -> list[ProjectId]:
        """The projects that a query on behalf of this caller is scoped to."""
        self._require(Scope.READ)
        return list(self.projects)

    def require_member(self, project: ProjectId) -> None:
        """May run jobs in this project: NotFound for a foreign one, Forbidden for a viewer or a read-only token."""
        self._require(Scope.WRITE)
        if self._role(project) is Role.VIEWER:
            raise Forbidden(
                "A viewer may not change anything in this project; ask its owner for the role member.",
                "查看者不能修改该课题组；请联系所有者授予成员角色。",
            )

    def require_owner(self, project: ProjectId) -> None:
        """May say what the project's members may: NotFound for a foreign one."""
        self._require(Scope.WRITE)
        if self._role(project) is not Role.OWNER:
            raise Forbidden(
                "Only an owner of the project may do this; ask one.", "仅课题组所有者可执行此操作；请联系所有者。"
            )

    def owns(self, project: ProjectId) -> bool:
        return self.projects.get(project) is Role.OWNER

    def require_reader(self, project: ProjectId) -> None:
        self._require(Scope.READ)
        self._role(project)

    def require_writer(self) -> None:
        """May change what is the user's own, whatever the projects."""
        self._require(Scope.WRITE)

    @property
    def operates(self) -> bool:
        """As the operator: with a token for that."""
        return self.is_operator and Scope.ADMIN in self.scopes

    def require_operator(self) -> None:
        if not self.operates:
            raise Forbidden(
                "Only the operator may do this, with a token of scope admin.",
                "仅平台运营者可用 admin 权限的令牌执行此操作。",
            )

    def _role(self, project: ProjectId) -> Role:
        role = self.projects.get(project)
        if role is None:
            raise NotFound(
                "There is no such project, or it is not yours; `whoami` lists yours.",
                "课题组不存在或不属于您；可用 whoami 查看您的课题组。",
            )
        return role

    def _require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise Forbidden(
                f"This token does not have the scope {scope}; issue one that has.",
                f"该令牌没有 {scope} 权限；请签发具有该权限的令牌。",
            )
