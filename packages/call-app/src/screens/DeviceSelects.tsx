/** The pickers of camera, microphone and speaker, for the pre-join and the devices panel. */
import { ChoiceList, cx, Float, ListChoice } from '@veilcast/design';
import { Camera, ChevronDown, Mic, Volume2, type LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { Button, Label, Select, SelectValue } from 'react-aria-components';
import { canChooseSpeaker } from '../media/devices.ts';
import type { LocalMedia } from '../media/local.ts';
import { useStore } from '../visit/store.ts';
import { t } from '../words/words.ts';
import styles from './DeviceSelects.module.css';

type Kind = 'microphone' | 'camera' | 'speaker';

const KINDS: Readonly<Record<Kind, { readonly icon: LucideIcon; readonly kind: MediaDeviceKind }>> = {
  camera: { icon: Camera, kind: 'videoinput' },
  microphone: { icon: Mic, kind: 'audioinput' },
  speaker: { icon: Volume2, kind: 'audiooutput' },
};

export function DeviceSelects({ media }: { readonly media: LocalMedia }): ReactElement {
  const state = useStore(media.store);
  return (
    <div className={styles.selects}>
      <DeviceSelect
        what="camera"
        devices={state.devices}
        chosen={usedId(state.camera.track, state.camera.deviceId)}
        choose={(id) => void media.choose('camera', id)}
      />
      <DeviceSelect
        what="microphone"
        devices={state.devices}
        chosen={usedId(state.microphone.track, state.microphone.deviceId)}
        choose={(id) => void media.choose('microphone', id)}
      />

      {canChooseSpeaker() && (
        <DeviceSelect
          what="speaker"
          devices={state.devices}
          chosen={state.speakerId}
          choose={(id) => media.chooseSpeaker(id)}
        />
      )}
    </div>
  );
}

/** The device in use says more than the one that was wished. */
function usedId(track: MediaStreamTrack | undefined, wished: string): string {
  return track?.getSettings().deviceId ?? wished;
}

interface DeviceSelectProps {
  readonly what: Kind;
  readonly devices: readonly MediaDeviceInfo[];
  readonly chosen: string;
  readonly choose: (deviceId: string) => void;
}

function DeviceSelect({ what, devices, chosen, choose }: DeviceSelectProps): ReactElement {
  const { icon: Icon, kind } = KINDS[what];
  const found = devices.filter((device) => device.kind === kind);
  const selected = found.find(({ deviceId }) => deviceId === chosen) ?? found[0];
  const none = t(found.length === 0 ? 'devices.none' : 'devices.browser');
  return (
    <Select
      selectedKey={selected?.deviceId ?? null}
      onSelectionChange={(key) => choose(String(key))}
      isDisabled={found.length === 0}
      placeholder={none}
    >
      <Label className={cx(styles.label)}>{t(`devices.${what}`)}</Label>
      <Button className={cx(styles.button)}>
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        <SelectValue className={cx(styles.value)}>{({ selectedText }) => selectedText ?? none}</SelectValue>
        <ChevronDown size={20} strokeWidth={1.75} aria-hidden />
      </Button>
      <Float asWide>
        <ChoiceList>
          {found.map(({ deviceId, label }, place) => (
            <ListChoice key={deviceId} id={deviceId} text={label || t('devices.unnamed', { number: place + 1 })} />
          ))}
        </ChoiceList>
      </Float>
    </Select>
  );
}
