"""How the report page looks, by day and by night."""

STYLE = """
:root{--ink:#1e293b;--soft:#64748b;--line:#e2e8f0;--ground:#fff;--card:#f8fafc;--best:#047857;
--c0:#94a3b8;--c1:#d97706;--c2:#2563eb;--c3:#059669;--c4:#9333ea;--c5:#db2777;--c6:#0891b2;--c7:#65a30d}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--soft:#94a3b8;--line:#334155;--ground:#0f172a;--card:#1e293b;
--best:#34d399;--c0:#64748b;--c1:#f59e0b;--c2:#60a5fa;--c3:#34d399;--c4:#c084fc;--c5:#f472b6;--c6:#22d3ee;--c7:#a3e635}}
body{font:15px/1.55 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:2rem auto;
max-width:60rem;padding:0 1rem;color:var(--ink);background:var(--ground)}
h1{font-size:1.6rem;margin:.6rem 0 .2rem}h2{font-size:1.1rem;margin:0}
.note{color:var(--soft);margin:.1rem 0 .8rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem;margin:1.2rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
thead th{color:var(--soft);font-weight:500}th:first-child{text-align:left;font-weight:600}
.best{color:var(--best);font-weight:700}
i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.5rem;box-sizing:border-box}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.2rem 0 .6rem}
svg{display:block;width:100%;height:auto;font-size:13px}svg text{fill:var(--ink)}
svg .name{text-anchor:end}svg .tick{text-anchor:middle;fill:var(--soft);font-size:11px}
svg .value{font-variant-numeric:tabular-nums}
.grid{stroke:var(--line)}.track{stroke:var(--line);stroke-width:6;stroke-linecap:round}
.rise{stroke:var(--soft);stroke-width:3}
svg .ring{fill:var(--card);stroke:var(--soft);stroke-width:3}i.ring{border:3px solid var(--soft)}
.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}
.c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}
.c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}
.c6{fill:var(--c6);background:var(--c6)}.c7{fill:var(--c7);background:var(--c7)}
input{position:absolute;opacity:0}label{cursor:pointer;color:var(--soft);padding:.15rem .7rem;border-radius:999px}
input:checked+label{background:var(--c2);color:var(--ground)}input:focus-visible+label{outline:2px solid var(--ink)}
#en:checked~main .zh,#zh:checked~main .en{display:none}
@media print{section{break-inside:avoid}}
"""
