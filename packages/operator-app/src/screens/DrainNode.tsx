/** Empties a Node: asked for twice, since it ends the process. */
import { Act } from '@veilcast/design';
import { useState, type ReactElement } from 'react';
import type { Feed } from '../feed/feed.ts';
import { words } from '../words.ts';

export function DrainNode({ id, drain }: { readonly id: string; readonly drain: Feed['drain'] }): ReactElement {
  const [step, setStep] = useState<'idle' | 'sure' | 'asked'>('idle');
  const [failure, setFailure] = useState<string>();
  if (step === 'idle') return <Act onPress={() => setStep('sure')}>{words.nodes.drain}</Act>;
  const ask = async (): Promise<void> => {
    setStep('asked');
    const code = await drain(id);
    if (code === undefined) return;
    setFailure(code);
    setStep('sure');
  };
  if (step === 'asked') return <output>{words.nodes.drainAsked}</output>;
  return (
    <>
      <span role="alert">{failure === undefined ? words.nodes.drainSure : words.nodes.drainFailed(failure)}</span>
      <Act onPress={() => void ask()}>{words.nodes.drainYes}</Act>
      <Act onPress={() => setStep('idle')}>{words.nodes.drainNo}</Act>
    </>
  );
}
