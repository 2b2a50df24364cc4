// The style of a report's page: light, dark and on paper; one column on a phone.
#pragma once

namespace udp {

constexpr const char* kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--edge:#e1e6ec;--text:#17202b;--soft:#566273;--shade:#17202b22;
--grid:#e6eaef;--first:#2b62d9;--second:#c9720a;--good:#157f42;--bad:#c2271f;--warn:#8f5700;
--good-back:#e5f5eb;--bad-back:#fdebe9;--warn-back:#fdf1dc}
@media screen and (prefers-color-scheme:dark){:root{--page:#0e131a;--card:#161d27;--edge:#273140;
--text:#e6ebf2;--soft:#9ba8b9;--shade:#000a;--grid:#273140;--first:#74a7ff;--second:#f0ae58;--good:#4cc97e;
--bad:#ff7f76;--warn:#f2bb62;--good-back:#11291c;--bad-back:#331816;--warn-back:#2e2410}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main{max-width:1160px;margin:0 auto;padding:28px 20px 40px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:32px 0 12px}
p{margin:0}.sub{color:var(--soft);margin-bottom:20px}
.card{background:var(--card);border:1px solid var(--edge);border-radius:10px;margin:0;min-width:0}
.verdict{padding:16px 20px;border-left-width:5px}
.verdict.good{border-left-color:var(--good);background:var(--good-back)}
.verdict.bad{border-left-color:var(--bad);background:var(--bad-back)}
.verdict.warn{border-left-color:var(--warn);background:var(--warn-back)}
.verdict .says{font-size:19px;line-height:1.35;font-weight:650}
.verdict ul{margin:8px 0 0;padding-left:20px}.verdict .badge{margin-right:10px}
.badge{display:inline-block;font-size:12px;line-height:20px;font-weight:700;letter-spacing:.05em;
padding:0 9px;border-radius:5px;text-transform:uppercase;vertical-align:3px;
background:currentColor}.badge span{color:var(--card)}
.good>.says>.badge{color:var(--good)}.bad>.says>.badge{color:var(--bad)}
.warn>.says>.badge{color:var(--warn)}
.broken{color:var(--bad);font-weight:600}
.tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));margin-top:16px}
.tile{padding:12px 16px}.tile .what,.tile .more{color:var(--soft);font-size:13px;line-height:1.4}
.tile .figure{font-size:25px;line-height:1.35;font-weight:650;letter-spacing:-.01em;
font-variant-numeric:tabular-nums}
.tile.good .figure{color:var(--good)}.tile.bad .figure{color:var(--bad)}
.charts{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}
figure.card{padding:14px 0 12px}
figcaption{padding:0 18px;display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline}
.key{font-size:13px;color:var(--soft)}
.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;
vertical-align:middle;background:var(--first)}.key.second::before{background:var(--second)}
.note{padding:4px 18px 0;font-size:13px;line-height:1.4;color:var(--soft)}
.plot{padding:32px 22px 38px 62px}
svg{display:block;width:100%;overflow:visible}
svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
svg .y,svg .end{text-anchor:end}svg .x{text-anchor:middle}
svg .name:not(.end){transform:translateX(-36px)}
.grid,.tick{stroke:var(--grid)}.mark{stroke:var(--soft);stroke-dasharray:4 4}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round;
vector-effect:non-scaling-stroke}
.line.first{stroke:var(--first)}.line.second{stroke:var(--second)}.line.bad{stroke:var(--bad)}
.area{opacity:.13}.area.first{fill:var(--first)}.area.bad{fill:var(--bad)}
rect.first{fill:var(--first);opacity:.85}rect.second{fill:var(--second);opacity:.75}
rect.good{fill:var(--good)}rect.bad{fill:var(--bad)}
.pair{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}
.box{padding:16px 18px}.box h3{font-size:15px;margin:0 0 10px}
.split{display:flex;height:14px;border-radius:7px;overflow:hidden;background:var(--grid);margin:4px 0 12px}
.split i{min-width:3px}.sender{background:var(--second)}.network{background:var(--bad)}
.receiver{background:var(--first)}
dl{display:grid;grid-template-columns:1fr auto;gap:5px 16px;margin:0}
dt{color:var(--soft)}dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:8px}
.scroll{overflow-x:auto;overflow-wrap:normal;background:
linear-gradient(to right,var(--card) 40%,transparent) 0 0/48px 100% no-repeat local,
linear-gradient(to left,var(--card) 40%,transparent) 100% 0/48px 100% no-repeat local,
linear-gradient(to right,var(--shade),transparent) 0 0/16px 100% no-repeat,
linear-gradient(to left,var(--shade),transparent) 100% 0/16px 100% no-repeat,var(--card)}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:8px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--edge)}
th{color:var(--soft);font-weight:600;font-size:13px}tr:last-child>*{border-bottom:0}
th:first-child,td:first-child,td.text,th.text{text-align:left}
td.text{white-space:normal;min-width:280px}td.low{color:var(--bad);font-weight:650}
footer{margin-top:28px;color:var(--soft);font-size:13px}
@media(max-width:520px){main{padding:18px 14px 28px}h1{font-size:21px}
.tiles{grid-template-columns:1fr 1fr;gap:10px}.tile{padding:10px 12px}.tile .figure{font-size:21px}
.plot{padding-left:54px;padding-right:16px}svg .name:not(.end){transform:translateX(-32px)}
figcaption,.note{padding-left:14px;padding-right:14px}.box{padding:14px}
.verdict{padding:14px 16px}.verdict .says{font-size:17px}}
@media print{:root{--page:#fff}main{max-width:none;padding:0}.card{break-inside:avoid}
h2{break-after:avoid}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.charts,.pair{grid-template-columns:1fr 1fr}.scroll{overflow:visible;background:none}
table{font-size:10px}th,td{padding:4px 5px;white-space:normal}}
)css";

}  // namespace udp
