/** One video track on the page. Silent always: sound has its own elements (Sound.tsx), so that it plays wherever tiles go. */
import { useCallback, type ReactElement } from 'react';

export interface VideoProps {
  readonly track: MediaStreamTrack;
  readonly className: string;
}

export function Video({ track, className }: VideoProps): ReactElement {
  const attach = useCallback(
    (element: HTMLVideoElement) => {
      element.srcObject = new MediaStream([track]);
      void element.play().catch(() => undefined);
      return () => {
        element.srcObject = null;
      };
    },
    [track],
  );
  return <video ref={attach} className={className} muted playsInline autoPlay disablePictureInPicture aria-hidden />;
}
