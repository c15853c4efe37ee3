/** The class names that are there, joined. CSS modules give `string | undefined`; this is where the undefined ends. */
export function cx(...names: readonly (string | false | undefined)[]): string {
  return names.filter(Boolean).join(' ');
}
