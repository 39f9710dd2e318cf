"""What statements say, in English and Chinese."""

from enum import StrEnum

WORDS = {
    "statement": ("Statement", "账单"),
    "number": ("No.", "编号"),
    "payer": ("Customer", "客户"),
    "organisation": ("Organisation", "组织"),
    "project": ("Project", "课题组"),
    "month": ("Month", "账期"),
    "issued": ("Issued", "出具时间"),
    "final": ("Final: the month is closed.", "正式账单：该月已结账。"),
    "provisional": (
        "Provisional: the month is not closed, and figures may change.",
        "暂估账单：该月尚未结账，数字可能变动。",
    ),
    "to_pay": ("From the wallet for this month", "本月钱包支付"),
    "usage_title": ("Usage", "用量"),
    "users_title": ("By user", "按用户"),
    "money_title": ("Account", "账户"),
    "movements_title": ("Payments, purchases, corrections", "充值、购买与更正"),
    "product_line": ("Product line", "产品线"),
    "centre": ("Centre", "超算中心"),
    "queue": ("Queue", "分区"),
    "user": ("User", "用户"),
    "places": ("Queue, price", "分区、单价"),
    "all_places": ("Project, queue, price", "课题组、分区、单价"),
    "core-hour": ("core-hour", "核时"),
    "card-hour": ("card-hour", "卡时"),
    "by_rule": ("by a charging rule", "按计费规则"),
    "jobs": ("Jobs", "作业数"),
    "core_hours": ("Core-hours", "核时"),
    "card_hours": ("Card-hours", "卡时"),
    "list": ("List", "原价"),
    "amount": ("Cost", "费用"),
    "package": ("By packages", "资源包支付"),
    "credit": ("By credits", "试用金支付"),
    "wallet": ("From the wallet", "钱包支付"),
    "total": ("Total", "合计"),
    "opening": ("Opening balance", "期初余额"),
    "charged": ("Charges posted", "计费入账"),
    "closing": ("Closing balance", "期末余额"),
    "time": ("Time (UTC)", "时间（UTC）"),
    "moved": ("Amount", "金额"),
    "kind": ("Kind", "类型"),
    "about": ("About", "说明"),
    "none": ("None.", "无。"),
    "note": (
        "Charges belong to the month that the work ended in; the account shows what was posted in the month. Open "
        "holds are part of the balance. Each line of usage is in the CSV and XLSX of this statement.",
        "费用归入作业结束的月份；账户部分为当月实际入账；未释放的冻结计入余额。逐条用量见本账单的 CSV 与 XLSX 文件。",
    ),
    "usage": ("usage", "用量"),
    "correction": ("correction", "更正"),
    "reversal": ("reversal", "冲销"),
    "top-up": ("top-up", "充值"),
    "adjustment": ("adjustment", "调整"),
    "package-end": ("package ended", "资源包终止"),
    "dedicated": ("dedicated nodes", "独占节点"),
    "kind.package": ("package", "资源包"),
    "lent": ("nodes lent out", "出借节点收入"),
    "general": ("General cloud", "通用云"),
    "industry": ("Industry cloud", "行业云"),
    "ai": ("AI cloud", "AI云"),
    "charge_id": ("Charge", "计费编号"),
    "revision": ("Revision", "版本"),
    "job": ("Job", "作业"),
    "name": ("Name", "名称"),
    "record": ("Record", "记账编号"),
    "state": ("State", "状态"),
    "started_at": ("Started (UTC)", "开始（UTC）"),
    "ended_at": ("Ended (UTC)", "结束（UTC）"),
    "charged_at": ("Charged (UTC)", "计费（UTC）"),
    "cores": ("Cores", "核数"),
    "cards": ("Cards", "卡数"),
    "seconds": ("Seconds", "秒数"),
    "price": ("Price", "价格版本"),
    "reason": ("Reason", "原因"),
    "entry": ("Entry", "分录"),
}


class Language(StrEnum):
    EN = "en"
    ZH = "zh"


def word(key: str, language: Language) -> str:
    """The key itself for what has no words of ours."""
    found = WORDS.get(key)
    return key if found is None else found[language is Language.ZH]


def kind_word(kind: str, language: Language) -> str:
    """Of an entry; `package` alone is a column."""
    return word("kind.package" if kind == "package" else kind, language)
