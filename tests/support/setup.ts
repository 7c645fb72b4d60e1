/** Runs in every test file: nothing a test starts may outlive it, however it ends. */
import { afterAll } from 'vitest';
import { endAllPrograms } from './program.ts';

afterAll(endAllPrograms);
