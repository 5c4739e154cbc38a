// Runs the model's page: what the API's model card says, told by story.js.

import { startPage } from "../asking.js";
import { api } from "../service.js";
import { storyOf } from "./story.js";
import { MODEL } from "./strings.js";

startPage({ file: "model.html", words: MODEL, ask: () => api.model(), tell: storyOf });
