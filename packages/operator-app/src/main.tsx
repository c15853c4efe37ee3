/** Starts the operator page. */
import '@veilcast/design/base.css';
import { applyTheme, storedTheme } from '@veilcast/design';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { openFeed } from './feed/feed.ts';

applyTheme(storedTheme());
const root = document.getElementById('app');
if (root) createRoot(root).render(<App feed={openFeed()} />);
