/**
 * Schemas are interpreted, not compiled: compiling asks for eval, which the pages' content security policy refuses. Imported
 * before any schema is made. On a server the difference is some microseconds a message, beside the twenty that a socket costs.
 */
import { z } from 'zod';

z.config({ jitless: true });
