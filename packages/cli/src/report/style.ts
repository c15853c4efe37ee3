/** The look of a report: the tokens of packages/design, and a page that reads on a phone, dark and light. */
import { readFileSync } from 'node:fs';

export function styles(): string {
  const tokens = readFileSync(new URL('../../../design/src/tokens.css', import.meta.url), 'utf8');
  return `${tokens}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--text);font:var(--text-15)/1.4 var(--font);font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:var(--space-6) var(--space-4) var(--space-12)}
h1{font-size:var(--text-24);font-weight:var(--weight-bold);margin:0 0 var(--space-1)}h2{font-size:var(--text-18);font-weight:var(--weight-strong);margin:var(--space-8) 0 var(--space-2)}
p{margin:0 0 var(--space-3);max-width:75ch}.quiet{color:var(--text-quiet);font-size:var(--text-13)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:var(--space-2);margin:var(--space-4) 0}
.card{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius-panel);padding:var(--space-3)}
.card b{display:block;font-size:var(--text-24);font-weight:var(--weight-strong)}.card span{color:var(--text-quiet);font-size:var(--text-13)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:var(--space-4)}
figure{margin:0;background:var(--surface);border:1px solid var(--line);border-radius:var(--radius-panel);padding:var(--space-3)}
figcaption{font-size:var(--text-13);margin-bottom:var(--space-1)}svg{display:block;width:100%;height:auto}
svg text{font:12px var(--font);fill:var(--text-quiet)}.end{text-anchor:end}.middle{text-anchor:middle}
.rule{stroke:var(--line)}.line{fill:none;stroke-width:2}.goal{stroke:var(--edge);stroke-dasharray:4 4}
.l0{stroke:var(--accent)}.l1{stroke:var(--warn-text);stroke-dasharray:6 3}.l2{stroke:var(--good-text);stroke-dasharray:2 3}
.key{font-weight:var(--weight-strong)}.k0{color:var(--accent)}.k1{color:var(--warn-text)}.k2{color:var(--good-text)}
.map{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius-panel)}.land{fill:var(--control)}
.arc{fill:none;stroke:var(--accent);stroke-width:1.25;opacity:.55}.region{fill:var(--accent);fill-opacity:.35;stroke:var(--accent);background:var(--accent)}
.origin{fill:var(--accent);stroke:var(--accent);background:var(--accent)}.lost{fill:none;stroke:var(--danger-text);background:var(--danger-text)}.cross{stroke:var(--danger-text);stroke-width:2}
.dot{display:inline-block;width:10px;height:10px;border-radius:50%}.dot.region{opacity:.45}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:40rem;font-size:var(--text-13)}th,td{text-align:left;padding:var(--space-1) var(--space-3) var(--space-1) 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:var(--weight-strong);color:var(--text-quiet)}li{margin-bottom:var(--space-1);max-width:75ch}
.mark{border:1px solid var(--edge);border-radius:var(--radius-control);padding:0 var(--space-1);font-size:var(--text-13);color:var(--text-quiet)}
.held{color:var(--good-text)}.missed{color:var(--danger-text)}.void{color:var(--warn-text)}.narrow table{min-width:0;overflow-wrap:anywhere}
.warn{background:var(--warn-soft);color:var(--warn-text);border-radius:var(--radius-panel);padding:var(--space-3)}`;
}
