/** The cluster's name, its state in one word, the time of the picture, and the search. */
import { applyTheme, ChoiceList, cx, Float, IconAct, ListChoice, storedTheme, type Theme } from '@veilcast/design';
import { CircleAlert, CircleCheck, CircleX, Moon, Search, Sun, SunMoon } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { ComboBox, Input, Label } from 'react-aria-components';
import type { Picture } from '@veilcast/protocol';
import type { FeedState } from '../feed/feed.ts';
import { go } from '../hooks.ts';
import type { Route } from '../route/route.ts';
import { words } from '../words.ts';
import styles from './TopBar.module.css';

const STATES = { ready: CircleCheck, degraded: CircleAlert, down: CircleX } as const;
const THEMES = { system: SunMoon, light: Sun, dark: Moon } as const;
const NEXT = { system: 'light', light: 'dark', dark: 'system' } as const satisfies Record<Theme, Theme>;
/** More than this in a list is not read. */
const FOUND_MAX = 12;

export function TopBar({ state }: { readonly state: FeedState }): ReactElement {
  const { picture } = state;
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const change = (): void => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <header className={styles.top}>
      {picture && <Cluster picture={picture} live={state.link === 'live'} />}
      <span className={styles.space} />
      {picture && <IdSearch picture={picture} />}
      <IconAct icon={THEMES[theme]} label={words.theme[theme]} onPress={change} />
    </header>
  );
}

function Cluster({ picture, live }: { readonly picture: Picture; readonly live: boolean }): ReactElement {
  const Icon = STATES[picture.state];
  return (
    <>
      <h1 className={styles.name}>{picture.cluster}</h1>
      <span className={cx(styles.state, styles[picture.state])}>
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        {words.state[picture.state]}
      </span>
      <time className={cx(styles.time, !live && styles.old)} dateTime={new Date(picture.at).toISOString()}>
        {new Date(picture.at).toLocaleTimeString()}
      </time>
    </>
  );
}

interface Found {
  readonly key: string;
  readonly id: string;
  readonly kind: 'room' | 'node' | 'pipe';
  readonly route: Route;
}

function findable({ rooms, nodes, pipes }: Picture): Found[] {
  return [
    ...rooms.map(({ roomId: id }): Found => ({ key: `room ${id}`, id, kind: 'room', route: { place: 'rooms', id } })),
    ...nodes.map(({ nodeId: id }): Found => ({ key: `node ${id}`, id, kind: 'node', route: { place: 'nodes', id } })),
    ...pipes.map(({ pipeId: id, roomId }): Found => ({
      key: `pipe ${id}`,
      id,
      kind: 'pipe',
      route: { place: 'rooms', id: roomId },
    })),
  ];
}

function IdSearch({ picture }: { readonly picture: Picture }): ReactElement {
  const [text, setText] = useState('');
  const sought = text.trim().toLowerCase();
  const found = findable(picture)
    .filter(({ id }) => sought !== '' && id.toLowerCase().includes(sought))
    .slice(0, FOUND_MAX);
  return (
    <ComboBox
      className={cx(styles.search)}
      inputValue={text}
      onInputChange={setText}
      items={found}
      allowsEmptyCollection={sought !== ''}
      selectedKey={null}
      onSelectionChange={(key) => {
        const chosen = found.find((one) => one.key === key);
        if (!chosen) return;
        go(chosen.route);
        setText('');
      }}
    >
      <Label className="visually-hidden">{words.search}</Label>
      <Search size={20} strokeWidth={1.75} aria-hidden className={styles.glass} />
      <Input className={cx(styles.input)} placeholder={words.search} />
      <Float asWide>
        <ChoiceList<Found> renderEmptyState={() => <p className={styles.none}>{words.searchEmpty}</p>}>
          {({ key, id, kind }) => (
            <ListChoice id={key} text={id} beside={words.kinds[kind]}>
              <code className={styles.id}>{id}</code>
            </ListChoice>
          )}
        </ChoiceList>
      </Float>
    </ComboBox>
  );
}
