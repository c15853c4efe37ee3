/** Oneself as others will see: picture, microphone with its level, and the devices behind their icons. */
import { cx, IconAct, Tip } from '@veilcast/design';
import { Mic, MicOff, Settings2, Video as VideoIcon, VideoOff, type LucideIcon } from 'lucide-react';
import { useRef, useState, type ReactElement } from 'react';
import { Button, TooltipTrigger } from 'react-aria-components';
import { useLasting, useLevel } from '../call/hooks.ts';
import { Video } from '../call/Video.tsx';
import { initials } from '../look/identity.ts';
import { useStore } from '../visit/store.ts';
import type { Visit } from '../visit/visit.ts';
import { t } from '../words/words.ts';
import { DeviceSelects } from './DeviceSelects.tsx';
import { HideAddress } from './HideAddress.tsx';
import styles from './Preview.module.css';

interface PreviewProps {
  readonly visit: Visit;
  readonly name: string;
}

export function Preview({ visit, name }: PreviewProps): ReactElement {
  const { media } = visit;
  const { camera, microphone } = useStore(media.store);
  const [choosing, choose] = useState(false);
  const starting = useLasting(camera.starting);
  return (
    <section aria-label={t('prejoin.self')} className={styles.section}>
      <div className={styles.preview}>
        {camera.track && camera.on ? (
          <Video track={camera.track} className={styles.video ?? ''} />
        ) : (
          <div className={styles.off}>
            <span className={styles.initials} aria-hidden>
              {initials(name) || '·'}
            </span>
            <p>{starting ? t('prejoin.cameraStarting') : camera.starting ? ' ' : t('prejoin.cameraOff')}</p>
          </div>
        )}
        <div className={styles.controls}>
          <Toggle
            icon={microphone.on ? Mic : MicOff}
            on={microphone.on}
            name={t(microphone.on ? 'bar.mute' : 'bar.unmute')}
            testId="mic"
            onPress={() => void media.set('microphone', !microphone.on)}
          />
          <Toggle
            icon={camera.on ? VideoIcon : VideoOff}
            on={camera.on}
            name={t(camera.on ? 'bar.cameraOff' : 'bar.cameraOn')}
            testId="camera"
            onPress={() => void media.set('camera', !camera.on)}
          />
        </div>
        <div className={styles.more}>
          <IconAct
            icon={Settings2}
            label={t('devices.title')}
            aria-expanded={choosing}
            onPress={() => choose((open) => !open)}
            testId="devices"
          />
        </div>
      </div>
      <Level track={microphone.on ? microphone.track : undefined} />
      {choosing && (
        <>
          <DeviceSelects media={media} />
          <HideAddress visit={visit} />
        </>
      )}
    </section>
  );
}

interface ToggleProps {
  readonly icon: LucideIcon;
  readonly on: boolean;
  readonly name: string;
  readonly testId: string;
  readonly onPress: () => void;
}

function Toggle({ icon: Icon, on, name, testId, onPress }: ToggleProps): ReactElement {
  return (
    <TooltipTrigger delay={500}>
      <Button
        className={cx(styles.toggle, !on && styles.toggleOff)}
        aria-label={name}
        data-testid={testId}
        data-on={on}
        onPress={onPress}
      >
        <Icon size={20} strokeWidth={1.75} aria-hidden />
      </Button>
      <Tip label={name} />
    </TooltipTrigger>
  );
}

function Level({ track }: { readonly track: MediaStreamTrack | undefined }): ReactElement {
  const bar = useRef<HTMLDivElement>(null);
  useLevel(track, bar);
  return (
    <div ref={bar} className={styles.level} aria-hidden>
      {track ? <Mic size={16} strokeWidth={1.75} aria-hidden /> : <MicOff size={16} strokeWidth={1.75} aria-hidden />}
      <span className={styles.meter} />
    </div>
  );
}
