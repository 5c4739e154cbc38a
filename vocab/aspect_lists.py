"""The lists of aspects that a request names by a word: of films, and of products.

A term finds every word of its stems. So a word is left out, or stands in a phrase, where its stem misleads:
"score" alone would find a rating, and "set" finds "set in 1950". The films' terms were chosen on
development reviews, those of the half that training/evaluation/cases/aspects does not hold back.
"""

SHIPPED: dict[str, dict[str, list[str]]] = {
    "film": {
        "acting": [
            "acting", "actor", "actress", "performance", "cast", "casting", "miscast", "overacting",
            "portrayal", "well acted", "badly acted", "poorly acted", "acted by",
        ],
        "story": [
            "story", "storyline", "story line", "plot", "plotline", "plot line", "plot hole", "subplot",
            "premise", "narrative",
        ],
        "characters": [
            "character", "characterization", "characterisation", "character development", "protagonist",
            "antagonist", "heroine", "villain",
        ],
        "script": [
            "script", "screenplay", "screenwriter", "the writing", "good writing", "great writing",
            "bad writing", "lazy writing", "poor writing", "terrible writing", "well written",
            "badly written", "poorly written",
        ],
        "dialogue": ["dialogue", "dialog", "one liner", "funny lines", "great lines", "best lines"],
        "direction": ["direction", "directing", "director"],
        "music": [
            "music", "soundtrack", "sound track", "song", "the score", "musical score", "film score",
            "background score", "original score", "great score", "score by", "score is", "score was",
        ],
        "photography": [
            "cinematography", "cinematographer", "photography", "camera", "camera work", "camerawork",
            "visuals", "beautifully photographed", "well photographed", "beautifully shot", "well shot",
            "beautifully filmed",
        ],
        "effects": [
            "special effects", "visual effects", "sound effects", "makeup effects", "creature effects",
            "gore effects", "digital effects", "computer effects", "the effects are", "the effects were",
            "great effects", "bad effects", "cgi", "fx", "makeup", "animation is", "animation was",
        ],
        "setting": [
            "setting", "scenery", "costume", "wardrobe", "set design", "set decoration", "production design",
            "art direction", "production values", "the locations", "locations are", "beautiful locations",
            "atmosphere", "the sets are", "the sets were", "sets and costumes",
        ],
        "humour": [
            "humor", "humour", "joke", "gag", "laughs", "comedy", "comic timing", "comic relief", "slapstick",
        ],
        "suspense": ["suspense", "tension", "scary", "scare", "jump scare", "thrills", "chills", "creepy"],
        "action": [
            "the action", "no action", "more action", "much action", "little action", "some action",
            "great action", "good action", "action scene", "action sequence", "action packed", "fight scene",
            "fight sequence", "battle scene", "car chase", "chase scene", "stunt", "choreography",
        ],
        "romance": [
            "romance", "romantic interest", "romantic subplot", "love story", "love scene", "love interest",
            "love triangle", "chemistry",
        ],
        "pace": [
            "pace", "pacing", "slow moving", "slow paced", "too slow", "very slow", "so slow", "really slow",
            "painfully slow", "bit slow", "little slow", "slow and", "too long", "drags on", "running time",
        ],
        "ending": ["ending", "climax", "denouement", "the conclusion", "final scene", "last scene", "twist"],
        "editing": ["editing", "jump cuts", "well edited", "badly edited", "poorly edited", "tightly edited"],
        "sound": [
            "the sound", "sound quality", "sound design", "sound editing", "sound mix", "dubbing", "dubbed",
            "the audio", "audio quality", "voice acting", "voice over",
        ],
        "message": ["message", "theme", "the moral", "moral of the story"],
        "realism": [
            "realism", "realistic", "unrealistic", "accurate", "accuracy", "inaccurate", "inaccuracy",
            "plausible", "implausible",
        ],
    },
    "product": {
        "quality": [
            "quality", "build quality", "workmanship", "craftsmanship", "stitching", "well made",
            "poorly made", "badly made", "cheaply made", "defect", "flimsy", "sturdy",
        ],
        "durability": [
            "durability", "broke", "broken", "snapped", "cracked", "wore out", "worn out", "fell apart",
            "falling apart", "stopped working", "long lasting",
        ],
        "price": [
            "price", "pricing", "cost", "expensive", "overpriced", "affordable", "bargain", "good value",
            "great value", "value for money", "waste of money", "worth the money",
        ],
        "delivery": [
            "delivery", "delivered", "shipping", "shipped", "shipment", "dispatch", "parcel", "courier",
            "arrived",
        ],
        "packaging": [
            "packaging", "package", "packed", "wrapping", "wrapped", "box was", "box is", "box arrived",
            "damaged box", "unboxing",
        ],
        "service": [
            "service", "customer service", "support", "customer support", "technical support", "support team",
            "hotline", "warranty", "guarantee", "refund", "return policy", "returned", "returning",
            "replacement", "seller", "staff",
        ],
        "ease of use": [
            "ease of use", "easy to use", "hard to use", "difficult to use", "user friendly", "intuitive",
            "setup", "set up", "install", "instructions", "manual", "assemble", "controls", "button", "menu",
            "easy to clean", "hard to clean", "cleaning", "confusing",
        ],
        "design": [
            "design", "style", "stylish", "appearance", "colour", "color", "the look", "looks great",
            "looks good", "looks cheap",
        ],
        "material": ["material", "fabric", "leather", "cotton", "plastic", "metal", "wood", "zip", "zipper"],
        "size": [
            "size", "sizing", "fit", "too small", "too big", "too large", "too tight", "too short",
            "too long", "weight", "heavy", "lightweight", "compact", "bulky",
        ],
        "comfort": ["comfort", "uncomfortable", "comfy", "cushion", "padding"],
        "performance": [
            "performance", "speed", "powerful", "processor", "engine", "motor", "suction", "laggy", "is fast",
            "very fast", "super fast", "too slow", "so slow", "is slow", "very slow",
        ],
        "battery": ["battery", "battery life", "charge", "charger", "charging"],
        "screen": ["screen", "touchscreen", "touch screen", "display", "resolution", "picture quality"],
        "sound": ["sound", "sound quality", "audio", "speaker", "bass", "microphone", "mic", "volume"],
        "camera": ["camera", "lens", "photo", "image quality", "video quality"],
        "connection": ["connection", "bluetooth", "wifi", "wi fi", "pairing", "signal"],
        "app": ["app", "software", "firmware"],
        "noise": ["noise", "noisy", "loud", "quiet", "silent"],
        "taste and smell": ["taste", "flavour", "flavor", "smell", "scent", "fragrance", "odour", "odor"],
    },
}  # fmt: skip
