"""What the server calls things by one of a few words, in Chinese: kinds, states, roles."""

from paracloud.cli.words import is_chinese

ENTRIES = {
    "charge": "计费",
    "top-up": "充值",
    "hold": "冻结",
    "release": "释放",
    "reversal": "冲销",
    "package": "资源包",
    "expiry": "资源包到期",
    "dedicated": "独占节点",
    "lent": "出借节点收入",
    "settlement": "结算",
    "adjustment": "调整",
    "payment": "付款",
}
CHARGES = {"usage": "用量", "correction": "更正", "reversal": "冲销"}
PRODUCT_LINES = {"general": "通用云", "industry": "行业云", "ai": "AI云", "unrated": "未定价"}
NOTICES = {
    "wallet-level": "余额提醒",
    "budget-level": "预算提醒",
    "landing": "作业即将停止",
    "landing-called-off": "作业继续运行",
    "stopping": "作业停止",
    "reconciliation": "对账",
    "dedication-lapsed": "独占节点失效",
    "settlement-disputed": "结算争议",
    "centre-sick": "超算中心故障",
    "centre-well": "超算中心恢复",
    "centre-gone": "超算中心停机",
    "given-up-ran": "已放弃的作业仍运行",
}
PACKAGES = {"core-hours": "核时", "card-hours": "卡时", "credit": "试用金"}
BUDGETS = {"organisation": "组织", "project": "课题组", "user": "用户"}
ROLES = {"owner": "负责人", "member": "成员", "viewer": "只读成员"}
JOBS = {
    "accepted": "已接受",
    "staging_in": "上传文件",
    "submitting": "提交中",
    "queued": "排队",
    "running": "运行",
    "ending": "等待记账",
    "vanished": "等待确认",
    "completed": "完成",
    "failed": "失败",
    "cancelled": "取消",
    "timeout": "超时",
    "refused": "被拒绝",
    "lost": "丢失",
}
SETTLEMENTS = {"stated": "已出具", "disputed": "有争议", "confirmed": "已确认", "paid": "已付款"}
IMPORTS = {"waiting": "等待", "checking": "检查中", "storing": "入库中", "done": "完成", "refused": "未导入"}
DAYS = {"agrees": "一致", "differs": "有差异", "unanswered": "超算中心未应答"}
CAUSES = {
    "not metered": "未计量",
    "not accounted": "超算中心无记录",
    "unread": "记录无法读取",
    "changed": "记录已变更",
    "wrong owner": "归属不符",
    "doubled": "重复",
    "unrated": "未定价",
    "wrong price": "价格不符",
    "wrong amount": "金额不符",
    "wrong share": "分成不符",
    "not settled": "未结算",
}
LINES = {
    "execution": "作业执行",
    "ours": "平台作业",
    "step": "作业步",
    "not ended": "未结束",
    "never started": "未启动",
    "remark": "注释",
    "no execution": "非作业执行",
    "array as a whole": "作业数组整体",
    "queued": "排队",
    "started": "开始",
    "deleted": "删除",
    "aborted": "中止",
    "rerun": "重新运行",
    "licence": "许可证",
    "checkpoint": "检查点",
}
"""What a line of an accounting log is."""
RULES = {
    "the postings of each currency sum to zero": "各币种记账行合计为零",
    "every entry sums to zero": "每笔分录合计为零",
    "every entry has postings": "每笔分录均有记账行",
    "a balance is the sum of its postings": "余额等于其记账行之和",
    "what is held equals the open holds": "冻结额等于未释放的冻结之和",
    "a hold is what was posted to it": "每笔冻结等于其入账额",
    "what a hold gave equals the postings of its charges": "冻结扣款等于其计费的记账行",
    "every usage revision has its evidence": "每个用量版本均有凭据",
    "every usage is charged, listed as unrated, or costs nothing by a person's word": "用量已计费、未定价或经人工免除",
    "what a person decided on is charged at that price, or not at all": "人工决定的用量按该价格计费或不计费",
    "what a charge gives the centre and the lender is what its contract says": "计费给中心与节点所有者的分成与合同一致",
    "a lender's part is posted to whom the contract names": "节点所有者的分成记入合同所列课题组",
    "a settlement is the sum of its contracts": "结算单等于其各合同之和",
    "every charge stands in the ledger": "每笔计费均已入总账",
    "the entry of a charge posts what the charge says": "计费分录与计费一致",
    "a charge at a price with tiers begins where its month's volume was": "阶梯计价自当月累计量处起算",
    "what a charge costs is paid by its own project": "计费由其所属课题组支付",
    "a charge is of the project that used it": "计费属于使用的课题组",
    "a charge falls into the month that its usage ended in, or the first that was open": (
        "计费计入用量结束当月或其后首个未关账月份"
    ),
    "a reversal takes back what was charged, and nothing else": "冲销等于已计费额",
    "a reversal gives packages and credits back what they gave": "冲销如数退回资源包与试用金",
    "a package has given what its uses say": "资源包已用量等于其使用记录",
    "what is reserved of a package waits for open holds": "资源包冻结量对应未释放的冻结",
    "a package's account holds what it has not given yet": "资源包账户等于其未使用部分",
    "what packages and credits gave is what the charges say": "资源包与试用金支付额与计费一致",
    "packages give a usage no more than it used": "资源包为一笔用量支付的不超过其用量",
    "the volume of a month is the sum of its charges": "当月累计量等于其计费之和",
    "what a settlement says of its month is what its charges say": "结算单与当月计费一致",
    "what a settlement adds and pays stands in the ledger": "结算的调整与付款均已入总账",
    "every charging entry has its charge": "每笔计费分录均有对应计费",
}
"""Of the ledger: what the check looks at."""
FINDINGS = {
    "login": "登录",
    "programs": "程序",
    "clock": "时钟",
    "time zone": "时区",
    "scheduler": "调度器",
    "queues": "分区",
    "limits": "时限",
    "queue listing": "队列列表",
    "accounting": "记账",
    "accounts": "账号",
    "homes": "主目录",
    "locks": "文件锁",
    "room": "空间",
    "submission": "提交",
    "run": "运行",
    "output": "输出",
    "sweep": "清理",
}
"""What is looked at when a centre is connected."""


def kind(one: str, among: dict[str, str]) -> str:
    """As it came where it has no word of ours, such as a product line that the operator named."""
    return among.get(one, one) if is_chinese() else one
