/** Tells screen readers who came and who left; eyes see the tiles. */
import type { Person } from '@veilcast/client';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { listOf, t } from '../words/words.ts';

export function Comings({ people }: { readonly people: readonly Person[] }): ReactElement {
  const before = useRef(namesOf(people));
  const [words, setWords] = useState('');
  useEffect(() => {
    const now = namesOf(people);
    const came = [...now].filter(([id]) => !before.current.has(id)).map(([, name]) => name);
    const went = [...before.current].filter(([id]) => !now.has(id)).map(([, name]) => name);
    before.current = now;
    const sentences = [
      ...(came.length > 0 ? [t('came', { name: listOf(came) })] : []),
      ...(went.length > 0 ? [t('went', { name: listOf(went) })] : []),
    ];
    if (sentences.length > 0) setWords(sentences.join('. '));
  }, [people]);
  return <output className="visually-hidden">{words}</output>;
}

/** Only the ones whose names have come: "somebody came" tells nothing. */
function namesOf(people: readonly Person[]): Map<string, string> {
  return new Map(people.filter(({ name }) => name !== '').map(({ peerId, name }) => [peerId, name]));
}
