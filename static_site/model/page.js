// Runs the model's page: story.js draws the API's model card.

import { startPage } from "../shared/asking.js";
import { api } from "../shared/service.js";
import { storyOf } from "./story.js";
import { MODEL } from "./strings.js";

startPage({ file: "model.html", words: MODEL, ask: () => api.model(), tell: storyOf });
