/** What is needed seldom: layout, colours, devices, shortcuts, diagnostics; and on a phone what the bar has no room for. */
import { applyTheme, ChoiceMenu, cx, Float, MenuChoice, storedTheme, type Theme } from '@veilcast/design';
import { Ellipsis } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Header, MenuSection, MenuTrigger, Separator } from 'react-aria-components';
import { canShareScreen } from '../media/devices.ts';
import { t } from '../words/words.ts';
import { BarButton } from './BarButton.tsx';
import type { Commands } from './commands.ts';
import styles from './MoreMenu.module.css';
import type { Layout } from './Stage.tsx';

interface MoreMenuProps {
  readonly commands: Commands;
  readonly layout: Layout;
  readonly sends: boolean;
  readonly handRaised: boolean;
  readonly sharing: boolean;
}

export function MoreMenu({ commands, layout, sends, handRaised, sharing }: MoreMenuProps): ReactElement {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const choose = (chosen: Theme): void => {
    setTheme(chosen);
    applyTheme(chosen);
  };
  return (
    <MenuTrigger>
      <BarButton icon={Ellipsis} name={t('bar.more')} testId="more" />
      <Float placement="top" offset={12}>
        <ChoiceMenu aria-label={t('bar.more')}>
          {sends && (
            <MenuSection className={cx(styles.phone)} aria-label={t('bar.label')}>
              {canShareScreen() && (
                <MenuChoice onAction={commands.share} text={t(sharing ? 'bar.unshare' : 'bar.share')} />
              )}
              <MenuChoice onAction={commands.hand} text={t(handRaised ? 'bar.handDown' : 'bar.hand')} />
            </MenuSection>
          )}
          <Choice title={t('more.layout')} selected={layout} onSelect={(key) => commands.setLayout(key)}>
            <MenuChoice id="grid" text={t('more.grid')} />
            <MenuChoice id="speaker" text={t('more.speaker')} />
          </Choice>
          <Separator className={cx(styles.separator)} />
          <Choice title={t('more.theme')} selected={theme} onSelect={choose}>
            <MenuChoice id="system" text={t('more.system')} />
            <MenuChoice id="light" text={t('more.light')} />
            <MenuChoice id="dark" text={t('more.dark')} />
          </Choice>
          <Separator className={cx(styles.separator)} />
          <MenuChoice onAction={() => commands.toggle('devices')} text={t('more.devices')} />
          <MenuChoice onAction={() => commands.toggle('identity')} text={t('more.identity')} />
          <MenuChoice onAction={() => commands.toggle('shortcuts')} text={t('more.shortcuts')} />
          <MenuChoice onAction={commands.diagnostics} text={t('more.diagnostics')} />
        </ChoiceMenu>
      </Float>
    </MenuTrigger>
  );
}

interface ChoiceProps<K extends string> {
  readonly title: string;
  readonly selected: K;
  readonly onSelect: (key: K) => void;
  readonly children: ReactNode;
}

function Choice<K extends string>({ title, selected, onSelect, children }: ChoiceProps<K>): ReactElement {
  return (
    <MenuSection
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[selected]}
      onSelectionChange={(keys) => {
        const [key] = keys === 'all' ? [] : [...keys];
        if (key !== undefined) onSelect(key as K);
      }}
    >
      <Header className={cx(styles.title)}>{title}</Header>
      {children}
    </MenuSection>
  );
}
