/**
 * To be imported before any schema is made, by the page and by each worker that has schemas: they are interpreted, not
 * compiled. Pages whose content security policy forbids eval are the rule here, and even trying is reported.
 */
import { z } from 'zod';

z.config({ jitless: true });
