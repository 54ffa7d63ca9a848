// This thread's reactor over the real core. One per module registry; opens nothing until somebody waits.

import { binding } from '../native/load';
import { Reactor } from './reactor';

export const reactor = new Reactor(binding);
