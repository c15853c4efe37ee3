import { ClusterError } from '@veilcast/protocol';
import { expect, it } from 'vitest';
import { firstAnswer } from './answering.ts';

function cluster(answers: Record<string, string | Error>) {
  const asked: string[] = [];
  const ask = async (url: string): Promise<string> => {
    asked.push(url);
    const answer = answers[url] ?? new TypeError('nobody listens');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, first: (...urls: string[]) => firstAnswer(urls, ask) };
}

it('asks one after the other until one answers, and nobody after that', async () => {
  const { asked, first } = cluster({ b: 'yes', c: 'no' });
  expect(await first('a', 'b', 'c')).toBe('yes');
  expect(asked).toEqual(['a', 'b']);
});

it('takes a refusal for an answer, and a process that cannot be reached for none', async () => {
  const wrong = new ClusterError('WRONG_AUTHORITY');
  const { asked, first } = cluster({ a: new ClusterError('DISCONNECTED'), b: wrong, c: 'yes' });
  await expect(first('a', 'b', 'c')).rejects.toBe(wrong);
  expect(asked).toEqual(['a', 'b']);
});

it('says that nobody can be reached where nobody answers', async () => {
  const { first } = cluster({});
  await expect(first('a', 'b')).rejects.toMatchObject({ code: 'DISCONNECTED', cause: expect.any(TypeError) });
  await expect(first()).rejects.toMatchObject({ code: 'DISCONNECTED' });
});
