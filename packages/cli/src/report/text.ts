/** Numbers and words of a report. Pure. */

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Three digits that count, and thousands apart. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

/** Minutes and seconds of virtual time. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

function cells(tag: string, all: readonly string[]): string {
  return `<tr>${all.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map((row) => cells('td', row)).join('\n');
  return `<div class="scroll"><table><thead>${cells('th', head)}</thead><tbody>${body}</tbody></table></div>`;
}
