"""The command line's own words in both languages, and what is safe to show on a terminal."""

import errno
import os

ZH = {
    "centre": "超算中心",
    "queue": "分区",
    "region": "区域",
    "trust": "信任等级",
    "applications": "应用软件",
    "licences": "许可证",
    "MB/s": "传输 MB/s",
    "core/card": "核/卡时价",
    "cost": "费用",
    "wait": "排队",
    "done by (UTC)": "完成于（UTC）",
    "expected": "预计",
    "state": "状态",
    "name": "名称",
    "cores": "核数",
    "free": "空闲",
    "price": "价格版本",
    "unit price": "单价",
    "core-hour": "核时价",
    "card-hour": "卡时价",
    "qos": "服务质量",
    "job": "作业",
    "charged": "已扣费",
    "native id": "原生编号",
    "reason": "原因",
    "most": "最多费用",
    "why not": "原因",
    "nodes": "节点",
    "cards": "卡",
    "resources": "其他资源",
    "project": "课题组",
    "role": "角色",
    "where": "位置",
    "reference": "关联",
    "cause": "原因类别",
    "record": "记录编号",
    "untold": "无需提供",
    "organisation": "组织",
    "available": "可用余额",
    "held": "冻结",
    "spendable": "可支出",
    "at": "时间",
    "kind": "类型",
    "amount": "金额",
    "balance": "余额",
    "well": "正常",
    "size": "大小",
    "cores/node": "核/节点",
    "GiB/node": "GiB/节点",
    "memory/GiB": "内存/GiB",
    "limit": "时限",
    "queues": "分区",
    "policy": "策略",
    "slowdown": "平均有界延迟比",
    "P95": "95% 分位",
    "mean wait": "平均等待",
    "utilisation": "利用率",
    "moves": "迁移",
    "submissions/job": "每作业提交",
    "others' slowdown": "其他用户延迟比",
    "budget/min": "命令预算/分",
    "credit line": "授信额度",
    "funding": "资金约定",
    "held seconds": "每次预留秒数",
    "warn at": "提醒线",
    "signal": "信号",
    "grace seconds": "宽限秒数",
    "before": "此前",
    "after": "此后",
    "now": "现在",
    "package": "资源包",
    "total": "总量",
    "used": "已用",
    "reserved": "冻结",
    "left": "剩余",
    "expires": "到期",
    "ended": "终止",
    "moved": "已改派",
    "leaving": "改派中",
    "staying": "留在原处",
    "cancelling": "取消中",
    "entry": "分录",
    "category": "类别",
    "contract": "合同",
    "owner": "节点所有者",
    "dedicated": "独占节点",
    "monthly": "月费",
    "budget": "预算",
    "spent": "已支出",
    "of": "层级",
    "user": "用户",
    "per": "周期",
    "month": "月份",
    "closed": "关账",
    "by": "操作人",
    "ended by": "终止人",
    "owner share": "所有者分成",
    "unrated": "未定价",
    "customer": "客户",
    "line": "产品线",
    "from": "自",
    "to": "至",
    "settlement": "结算单",
    "charges": "笔数",
    "gross": "总额",
    "share": "分成",
    "lender": "出借方",
    "late gross": "往月更正总额",
    "late share": "往月更正分成",
    "tiers": "阶梯",
    "minimum": "保底",
    "fixed": "固定",
    "fees": "月费分成",
    "adjusted": "调整",
    "dispute": "争议",
    "usage": "用量",
    "answer": "答复",
    "day": "日期",
    "core-hours": "核时",
    "card-hours": "卡时",
    "account": "账号",
    "seconds": "秒",
    "core-seconds": "核秒",
    "card-seconds": "卡秒",
    "key": "密钥",
    "public": "公钥",
    "signs now": "现用",
    "id": "编号",
    "import": "导入",
    "records": "记录数",
    "done": "已入库",
    "faults": "无法理解",
    "accounted": "应计",
    "settled": "已结算",
    "differences": "差异数",
    "off": "差额",
    "product line": "产品线",
    "product-line": "产品线",
    "jobs": "作业数",
    "forecast": "预测",
    "P90 held": "P90 命中",
    "came/P50": "实际/P50",
    "overdue": "超时仍排队",
    "time": "时间",
    "about": "说明",
    "project_id": "课题组编号",
    "core_hours": "核时",
    "card_hours": "卡时",
    "node_hours": "节点时",
    "gpu_hours": "卡时",
    "wall_hours": "运行时间（小时）",
    "wait_hours": "排队时间（小时）",
    "list": "原价",
    "credit": "试用金",
    "wallet": "钱包支付",
}


OS_ZH = {
    errno.ENOENT: "文件或目录不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许此操作",
    errno.EISDIR: "是目录",
    errno.ENOTDIR: "不是目录",
    errno.EEXIST: "已存在",
    errno.ENOSPC: "磁盘空间不足",
    errno.EROFS: "文件系统只读",
}


def is_chinese() -> bool:
    chosen = os.environ.get("PARACLOUD_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return chosen.lower().startswith("zh")


def word(english: str) -> str:
    return ZH.get(english, english) if is_chinese() else english


def say(en: str, zh: str) -> str:
    return zh if is_chinese() else en


def both(en: str, zh: str) -> str:
    """For a refusal: in the user's language first."""
    return f"{zh} / {en}" if is_chinese() else f"{en} / {zh}"


def why_zh(error: OSError) -> str:
    return OS_ZH.get(error.errno or 0, f"系统错误 {error.errno}")


def plain(text: str) -> str:
    """Without control characters: a centre's text must not move the cursor or colour the screen."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
