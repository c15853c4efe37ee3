/** The controls, bottom centre: what one sends, what one reads, more, and the way out. */
import { Hand, MessageSquare, Mic, MicOff, MonitorUp, MonitorX, PhoneOff, Users, Video, VideoOff } from 'lucide-react';
import type { Role } from '@veilcast/protocol';
import { memo, type ReactElement } from 'react';
import { canShareScreen } from '../media/devices.ts';
import type { LocalState } from '../media/local.ts';
import { t } from '../words/words.ts';
import styles from './Bar.module.css';
import { BarButton } from './BarButton.tsx';
import type { Commands, PanelName } from './commands.ts';
import { MoreMenu } from './MoreMenu.tsx';
import type { Layout } from './Stage.tsx';

interface BarProps {
  readonly role: Role;
  readonly handRaised: boolean;
  /** So many wait to be let in. */
  readonly knocking: number;
  readonly local: LocalState;
  readonly commands: Commands;
  readonly panel: PanelName | undefined;
  readonly layout: Layout;
  readonly unread: number;
}

/** The call is drawn with every syllable; of the bar that changes nothing, and its buttons are dear to draw. */
export const Bar = memo(function Bar(props: BarProps): ReactElement {
  const { role, handRaised, knocking, local, commands, panel, layout, unread } = props;
  const sends = role !== 'viewer';
  return (
    <div className={styles.bar} role="toolbar" aria-label={t('bar.label')}>
      {sends && <Devices local={local} commands={commands} />}
      <BarButton
        icon={Hand}
        name={t(handRaised ? 'bar.handDown' : 'bar.hand')}
        shortcut="H"
        testId="hand"
        tone={handRaised ? 'active' : 'plain'}
        roomy={sends}
        onPress={commands.hand}
      />
      <BarButton
        icon={MessageSquare}
        name={unread > 0 ? t('bar.chatUnread', { count: unread }) : t('bar.chat')}
        word={t('bar.chat')}
        shortcut="C"
        testId="chat"
        count={unread}
        tone={panel === 'chat' ? 'active' : 'plain'}
        aria-expanded={panel === 'chat'}
        onPress={() => commands.toggle('chat')}
      />
      <BarButton
        icon={Users}
        name={knocking > 0 ? t('bar.peopleKnocking', { count: knocking }) : t('bar.people')}
        word={t('bar.people')}
        shortcut="P"
        testId="people"
        count={knocking}
        tone={panel === 'people' ? 'active' : 'plain'}
        aria-expanded={panel === 'people'}
        onPress={() => commands.toggle('people')}
      />
      <MoreMenu {...{ commands, layout, sends, handRaised }} sharing={local.screen !== undefined} />
      <span className={styles.divider} aria-hidden />
      <BarButton icon={PhoneOff} name={t('bar.leave')} testId="leave" tone="end" onPress={commands.leave} />
    </div>
  );
});

function Devices({ local, commands }: { readonly local: LocalState; readonly commands: Commands }): ReactElement {
  const { microphone, camera, screen } = local;
  return (
    <>
      <BarButton
        icon={microphone.on ? Mic : MicOff}
        name={t(microphone.on ? 'bar.mute' : 'bar.unmute')}
        shortcut="M"
        testId="mic"
        data-on={microphone.on}
        tone={microphone.on ? 'plain' : 'off'}
        onPress={commands.microphone}
      />
      <BarButton
        icon={camera.on ? Video : VideoOff}
        name={t(camera.on ? 'bar.cameraOff' : 'bar.cameraOn')}
        shortcut="V"
        testId="camera"
        data-on={camera.on}
        tone={camera.on ? 'plain' : 'off'}
        onPress={commands.camera}
      />
      {canShareScreen() && (
        <BarButton
          icon={screen ? MonitorX : MonitorUp}
          name={t(screen ? 'bar.unshare' : 'bar.share')}
          word={t(screen ? 'bar.unshareShort' : 'bar.share')}
          shortcut="S"
          testId="share"
          data-on={screen !== undefined}
          tone={screen ? 'active' : 'plain'}
          roomy
          onPress={commands.share}
        />
      )}
    </>
  );
}
