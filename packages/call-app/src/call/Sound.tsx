/** Everybody's sound, apart from the tiles. Where the browser blocks it until a click, the page says so and asks for one. */
import { Act } from '@veilcast/design';
import { Volume2 } from 'lucide-react';
import type { CallSnapshot } from '@veilcast/client';
import { useCallback, useState, type ReactElement } from 'react';
import { t } from '../words/words.ts';
import { Notice } from './Notice.tsx';

interface SoundProps {
  readonly snapshot: CallSnapshot;
  readonly speakerId: string;
}

export function Sound({ snapshot, speakerId }: SoundProps): ReactElement {
  const [blocked, setBlocked] = useState(false);
  const tracks = snapshot.people.flatMap((person) =>
    person.tracks.filter(({ track }) => track.kind === 'audio').map(({ track, producerId }) => ({ track, producerId })),
  );
  const hear = (): void => {
    setBlocked(false);
    for (const element of document.querySelectorAll('audio')) void element.play().catch(() => setBlocked(true));
  };
  return (
    <>
      {tracks.map(({ track, producerId }) => (
        <Voice key={producerId} track={track} speakerId={speakerId} onBlocked={() => setBlocked(true)} />
      ))}
      {blocked && (
        <Notice icon={Volume2} what={t('sound.blocked')}>
          <Act kind="primary" onPress={hear}>
            {t('sound.hear')}
          </Act>
        </Notice>
      )}
    </>
  );
}

interface VoiceProps {
  readonly track: MediaStreamTrack;
  readonly speakerId: string;
  readonly onBlocked: () => void;
}

function Voice({ track, speakerId, onBlocked }: VoiceProps): ReactElement {
  const attach = useCallback(
    (element: HTMLAudioElement) => {
      element.srcObject = new MediaStream([track]);
      element.play().catch((thrown: unknown) => {
        if (thrown instanceof DOMException && thrown.name === 'NotAllowedError') onBlocked();
      });
      return () => {
        element.srcObject = null;
      };
    },
    // The callback is new with every render and does the same; the element must not be attached anew for it.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [track],
  );
  const choose = useCallback(
    (element: HTMLAudioElement) => {
      const detach = attach(element);
      if (speakerId !== '' && 'setSinkId' in element) void element.setSinkId(speakerId).catch(() => undefined);
      return detach;
    },
    [attach, speakerId],
  );
  // oxlint-disable-next-line jsx-a11y/media-has-caption
  return <audio ref={choose} autoPlay />;
}
