#include "harness/report/page.hpp"
#include "harness/report/svg.hpp"

namespace fusetune {

namespace {

constexpr const char* kLayout = R"css(
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-padding-top:3.2rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main{max-width:84rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1.7rem;line-height:1.2;margin:0;letter-spacing:-.015em}
h2{font-size:1.35rem;line-height:1.25;margin:3rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--rule);letter-spacing:-.01em;overflow-wrap:anywhere}
h3{font-size:1.05rem;line-height:1.35;margin:2rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0 .8rem}
.note,.soft{color:var(--soft)}
.note{font-size:.875rem;max-width:46rem;overflow-wrap:anywhere}
.caution{border-left:3px solid var(--base);padding:.35rem .8rem;margin:.8rem 0;background:var(--raised);max-width:46rem}
.geometry{margin:1.1rem 0 .3rem;overflow-wrap:anywhere}
code{font:12.5px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
a{color:var(--ours)}
nav{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--rule);margin-top:1rem;padding:0 max(1.25rem,calc((100vw - 84rem)/2 + 1.25rem));display:flex;gap:1.25rem;overflow-x:auto;white-space:nowrap}
nav a{padding:.6rem 0;font-size:.9rem;text-decoration:none;color:var(--soft)}
nav a:hover{color:var(--ink)}
:focus-visible{outline:2px solid var(--ours);outline-offset:2px;border-radius:2px}
.tiles{display:flex;flex-wrap:wrap;gap:.5rem 2.25rem;margin:1.1rem 0}
.tile{max-width:15rem}
.tile b{display:block;font-size:1.45rem;line-height:1.2;font-weight:600;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tile span{display:block;font-size:.8rem;line-height:1.35;color:var(--soft)}
.scroll{overflow-x:auto;margin:.3rem 0 .6rem}
table{border-collapse:collapse;font-size:.85rem;line-height:1.4;min-width:100%}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th{font-weight:500;color:var(--soft);text-align:left;vertical-align:bottom;border-bottom:1px solid var(--rule);padding:.25rem 1rem .25rem 0}
td{vertical-align:top;border-bottom:1px solid var(--grid);padding:.3rem 1rem .3rem 0;font-variant-numeric:tabular-nums}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap}
td code{display:inline-block;min-width:13rem;max-width:34rem}
.k{width:55%}
td ul{margin:0;padding-left:1rem}
tr.chosen td{background:var(--raised);font-weight:600}
tr.bad td{background:var(--badpaper)}
tr.quiet{color:var(--soft)}
.message{display:inline-block;min-width:16rem;max-width:40rem;white-space:pre-wrap;overflow-wrap:anywhere}
.members{max-height:24rem;overflow:auto;padding-left:1.2rem}
.members li{margin:.2rem 0}
.tag{display:inline-block;font-size:.75rem;font-weight:600;line-height:1.5;padding:0 .45rem;border-radius:3px;border:1px solid var(--bad);color:var(--bad);background:var(--badpaper);vertical-align:.1em}
details{margin:.2rem 0 1rem}
summary{cursor:pointer;color:var(--soft);font-size:.875rem;padding:.15rem 0}
summary:hover{color:var(--ink)}
figure{margin:0}
.family{display:grid;grid-template-columns:minmax(0,21.25rem) minmax(0,1fr);gap:.5rem 2.5rem;padding:1rem 0 .5rem;border-bottom:1px solid var(--grid)}
.family .main>.geometry:first-child{margin-top:0}
@media (max-width:72rem){td code{min-width:24rem}.family{grid-template-columns:minmax(0,1fr)}}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21.25rem),1fr));gap:1.75rem 2.5rem;margin:1rem 0}
.picture svg{display:block;width:100%;max-width:26rem;height:auto}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr));gap:1rem 2.5rem;align-items:start}
.card{min-width:0;border-top:1px solid var(--grid)}
.map svg{display:block}
.controls{display:flex;flex-wrap:wrap;gap:.4rem .9rem;margin:.3rem 0 .5rem}
.controls[hidden]{display:none}
.controls label{font-size:.8rem;color:var(--soft);display:flex;gap:.35rem;align-items:center;min-width:0}
select{font:inherit;color:var(--ink);background:var(--raised);border:1px solid var(--rule);border-radius:4px;padding:.15rem .3rem;max-width:13rem}
.keys{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:0;margin:.6rem 0 1rem;font-size:.8rem;color:var(--soft)}
.keys li{display:flex;align-items:center;gap:.4rem}
.swatch{display:inline-block;width:1.4rem;height:.9rem;border-radius:2px;flex:none;text-align:center;font-size:.7rem;line-height:.8rem}
.s0{background:var(--h0)}.s1{background:var(--h1)}.s2{background:var(--h2)}.s3{background:var(--h3)}.s4{background:var(--h4)}
.s5{background:var(--h5);outline:1px solid var(--rule);outline-offset:-1px}
.sf{background:var(--badpaper);border:1px solid var(--bad)}.sn{border:1px solid var(--rule)}.su{border:1px dashed var(--rule)}
#left-out{padding-bottom:4rem}
#left-out li{overflow-wrap:anywhere}
@media print{nav{position:static}details{break-inside:avoid}}
)css";

}  // namespace

std::string page_style() { return picture_style(":root") + kLayout; }

}  // namespace fusetune
