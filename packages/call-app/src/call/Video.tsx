/** One video track on the page. Silent always: sound has its own elements (Sound.tsx), so that it plays wherever tiles go. */
import { useCallback, useEffect, useState, type ReactElement } from 'react';

export interface VideoProps {
  readonly track: MediaStreamTrack;
  readonly className: string;
}

export function Video({ track, className }: VideoProps): ReactElement {
  const [stream] = useState(() => new MediaStream());
  const attach = useCallback(
    (element: HTMLVideoElement) => {
      element.srcObject = stream;
      void element.play().catch(() => undefined);
      return () => {
        element.srcObject = null;
      };
    },
    [stream],
  );
  // Another track of the same picture takes its place in the stream, so that the last picture stands until the next is there.
  useEffect(() => {
    stream.addTrack(track);
    for (const other of stream.getTracks()) if (other !== track) stream.removeTrack(other);
  }, [stream, track]);
  return <video ref={attach} className={className} muted playsInline autoPlay disablePictureInPicture aria-hidden />;
}
