/** The widget's two names in a page. The package does not export this: a page's own declarations must not collide with it. */
import type { ChatWidget, ChatWidgetCommand, ChatWidgetConfig } from './public.js';

declare global {
  interface Window {
    ChatWidgetConfig?: ChatWidgetConfig;
    ChatWidget?: ChatWidget | ChatWidgetCommand[];
  }
}
