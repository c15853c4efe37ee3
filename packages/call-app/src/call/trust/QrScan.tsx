/** Reads a QR code with a camera of its own, a few times a second, until one is found. Nothing of the picture leaves the page. */
import { Act } from '@veilcast/design';
import { useEffect, useEffectEvent, useRef, useState, type ReactElement } from 'react';
import { t } from '../../words/words.ts';
import styles from './Trust.module.css';

/** Between two looks. Faster only warms the phone. */
const LOOK_MS = 250;
/** Pixels of the longer side that are looked at: a code that fills a third of it is read. */
const LOOK_SIZE = 640;

interface QrScanProps {
  readonly onFound: (text: string) => void;
  readonly onClose: () => void;
}

export function QrScan({ onFound, onClose }: QrScanProps): ReactElement {
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  const tell = useEffectEvent(onFound);
  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    const scan = new AbortController();
    read(element, scan.signal).then(
      (text) => text !== undefined && tell(text),
      () => scan.signal.aborted || setFailed(true),
    );
    return () => scan.abort();
  }, []);
  return (
    <>
      <video ref={video} className={styles.scan} muted playsInline aria-label={t('verify.scanning')} />
      <output className={styles.quiet}>{t(failed ? 'verify.noCamera' : 'verify.scanning')}</output>
      <Act onPress={onClose} wide>
        {t('verify.stopScan')}
      </Act>
    </>
  );
}

async function read(element: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const [library, stream] = await Promise.all([
    import('jsqr'),
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }),
  ]);
  // Its types say that the function is the default of its default; bundled it is the default.
  const jsQr = library.default as unknown as typeof library.default.default;
  try {
    element.srcObject = stream;
    await element.play();
    const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    if (!pen) return undefined;
    while (!signal.aborted) {
      const scale = Math.min(1, LOOK_SIZE / Math.max(1, element.videoWidth, element.videoHeight));
      const [width, height] = [element.videoWidth, element.videoHeight].map((side) =>
        Math.max(1, Math.round(side * scale)),
      );
      if (width === undefined || height === undefined) return undefined;
      pen.canvas.width = width;
      pen.canvas.height = height;
      pen.drawImage(element, 0, 0, width, height);
      const code = jsQr(pen.getImageData(0, 0, width, height).data, width, height);
      if (code && code.data !== '') return code.data;
      await new Promise((resume) => setTimeout(resume, LOOK_MS));
    }
    return undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
