/** Where the card leads: the screens of what it names, as soon as the console has them (`screens.js`). */
import { href } from "../router.js";
import { screenAt } from "../screens.js";

const SCREENS = { case: "case", conversation: "chats", suggestion: "suggestion", survey: "survey", care: "care" };

/** The address of a thing's own screen, or null while there is none. */
export function linkTo(kind, id) { return screenAt(SCREENS[kind]) ? href(SCREENS[kind], { id }) : null; }
