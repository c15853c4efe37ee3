/** Runs in the namespace of a host and asks for others what they want to know there. Ends with who started it. */

export interface Question {
  readonly id: number;
  readonly url: string;
  readonly withinMs: number;
  readonly method?: string;
  readonly body?: string;
}

export type Answer =
  | { readonly id: number; readonly status: number; readonly text: string }
  | { readonly id: number; readonly failed: string };

async function answerTo({ id, url, withinMs, ...init }: Question): Promise<Answer> {
  try {
    const headers = init.body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(withinMs) });
    return { id, status: response.status, text: await response.text() };
  } catch (thrown) {
    const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
    return { id, failed: String(cause) };
  }
}

process.on('message', (question) => {
  void answerTo(question as Question).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
