"""Whether an offer keeps what the job demands of where it runs. Every rule names what does not fit and what would."""

from paracloud.placement.expected import expected
from paracloud.placement.offer import Need, Offer, Reason
from paracloud.placement.texts import clock


def scheduler(need: Need, offer: Offer) -> Reason | None:
    return next((why for dialect, why in need.unsaid if dialect == offer.dialect), None)


def region(need: Need, offer: Offer) -> Reason | None:
    wanted = need.constraints.region
    if wanted is None or offer.region == wanted:
        return None
    return (
        f"the job asks for the region {wanted}, it is in {offer.region or 'none that is known'}",
        f"作业指定了区域 {wanted}，而该中心位于 {offer.region or '未知区域'}",
    )


def residency(need: Need, offer: Offer) -> Reason | None:
    allowed = need.constraints.residency
    if allowed is None or offer.region in allowed:
        return None
    en, zh = ", ".join(sorted(allowed)) or "no region", "、".join(sorted(allowed)) or "任何区域之外"
    return (
        f"the data may be in {en} only, it is in {offer.region or 'no known region'}",
        f"数据只允许存放于 {zh}，而该中心位于 {offer.region or '未知区域'}",
    )


def applications(need: Need, offer: Offer) -> Reason | None:
    absent = sorted(need.constraints.applications - offer.provision.applications)
    if not absent:
        return None
    has = sorted(offer.provision.applications)
    return (
        f"it is not known to have {', '.join(absent)}; it has {', '.join(has) or 'no application that is known'}",
        f"该中心未登记应用 {'、'.join(absent)}；已登记：{'、'.join(has) or '无'}",
    )


def licences(need: Need, offer: Offer) -> Reason | None:
    had = offer.provision.licences
    absent = [] if had is None else sorted(need.constraints.licences - had)
    if not absent or had is None:
        return None
    return (
        f"it has no licence {', '.join(absent)}; it has {', '.join(sorted(had)) or 'none'}",
        f"该中心没有许可证 {'、'.join(absent)}；现有：{'、'.join(sorted(had)) or '无'}",
    )


def trust(need: Need, offer: Offer) -> Reason | None:
    least = need.constraints.least_trust
    if offer.provision.trust >= least:
        return None
    return (
        f"the job asks for a trust level of at least {least}, it has {offer.provision.trust}",
        f"作业要求信任等级不低于 {least}，而该中心为 {offer.provision.trust}",
    )


def most_cost(need: Need, offer: Offer) -> Reason | None:
    limit = need.constraints.most_cost
    if limit is None or offer.most is None:
        return None
    if offer.most.currency != limit.currency:
        return (
            f"it is paid in {offer.most.currency}, the limit of cost is in {limit.currency}",
            f"该分区以 {offer.most.currency} 计价，而费用上限以 {limit.currency} 给出",
        )
    if offer.most.micro <= limit.micro:
        return None
    return (
        f"it can cost up to {offer.most} {limit.currency}, more than the {limit} allowed",
        f"最多可能花费 {offer.most} {limit.currency}，超过上限 {limit}",
    )


def most_wait(need: Need, offer: Offer) -> Reason | None:
    limit = need.constraints.most_wait
    start = None if limit is None else expected(need, offer).start
    if limit is None or start is None or start.p90 <= limit:
        return None
    return (
        f"one job in ten like it waits longer than {clock(start.p90)} there, half of them {clock(start.p50)}; at most "
        f"{clock(limit)} is allowed",
        f"同类作业有十分之一的等待超过 {clock(start.p90)}（中位数 {clock(start.p50)}），超过上限 {clock(limit)}",
    )
