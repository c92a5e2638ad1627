/** The script of the page. */
import { showControls } from './controls.ts';

showControls();
