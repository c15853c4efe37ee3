/** Starts the page: reads the link, shows the theme, gives `window.veilcast`, mounts the screens. */
import '@veilcast/design/base.css';
import { applyTheme, storedTheme } from '@veilcast/design';
import { createRoot } from 'react-dom/client';
import type { CallReport } from '@veilcast/client';
import { App } from './App.tsx';
import { Check } from './check/check.ts';
import { watchPaths } from './check/one-path.ts';
import { emptyReport } from './visit/empty-report.ts';
import { readPlace } from './visit/options.ts';
import { Visit } from './visit/visit.ts';

declare global {
  interface Window {
    /** DESIGN §11; there from the first moment, in a call or not. */
    veilcast: { readonly report: () => Promise<CallReport> };
  }
}

const place = readPlace(new URL(location.href));
const visit = place.kind === 'room' ? new Visit(place.options) : undefined;
const check = place.kind === 'check' ? new Check() : undefined;
if (check) watchPaths();
window.veilcast = { report: () => visit?.report() ?? Promise.resolve(emptyReport('', '', '')) };
applyTheme(storedTheme());

if (visit?.options.join === true) {
  void visit.openMedia();
  void visit.join(visit.options.name);
}
// The others see at once that this person is gone, instead of after the connection's deadline.
window.addEventListener('pagehide', () => {
  void visit?.leave();
  check?.stop();
});

const root = document.getElementById('app');
if (root) createRoot(root).render(<App visit={visit} check={check} lost={place.kind === 'lost'} />);
