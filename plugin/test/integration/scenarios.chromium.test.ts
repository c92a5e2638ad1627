/** The scenarios in a real Chromium. */
import { chromiumStage } from './chromium-stage.ts';
import { scenarios } from './scenarios.ts';

scenarios(chromiumStage);
