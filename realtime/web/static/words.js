// What the settings are called, and what each is good for, to whom no word of the field means anything.

export const SETTINGS = {
  "scene.blur": ["Blur", "How much your room is blurred. Even 0 % hides it."],
  "scene.fit": ["Fit", "For pictures of another shape than the camera's."],
  "scene.slide": ["Seconds for each picture of a folder", "Then the next one is shown."],
  "scene.framing": ["Follow me", "Comes closer to head and shoulders, and goes along when you move."],
  "light.scene": ["Match the backdrop's light", "You look as bright and as warm as the place you seem to be in."],
  "light.time": ["Steady through changing light", "Your outline stays calm when a lamp or the camera changes the light."],
  "temporal.strength": ["Smoothing", "More is calmer; less follows quick movements sooner."],
  "temporal.method": ["Smoothing by", "What holds your outline still. By movement suits nearly everybody."],
  "temporal.patches": ["Ignore what is smaller than", "Things that are taken for a person vanish. 100 % keeps one person."],
  "temporal.certain": ["Ignore what is less certain than", "A coat or a chair that is taken for a person vanishes; more takes away more."],
  "edges.despill": ["Take the room's colour out", "Of hair and edges, where your room still shines through."],
  "edges.wrap": ["Light around the edges", "The backdrop shines around you a little, as real light would."],
  "refine.feather": ["Softness", "A soft outline hides small mistakes."],
  "refine.threshold": ["Cut", "Higher cuts closer to you; lower leaves more around you."],
  "refine.method": ["Edges follow the picture", "Finer hair and fingers, for a little more work."],
  "matting.every": ["Pictures for one look", "The network looks at one of so many. Fewer is truer, more is less work."],
  "matting.scale": ["Detail", "More shows finer edges, for more work. Not every network takes it."],
  "matting.mirrored": ["Look twice", "At the mirror image too: truer edges, for twice the work."],
};

export const CHOICES = {
  crop: "Fill, edges cut off",
  pad: "All of it, black bars",
  stretch: "Stretch",
  flow: "Movement",
  gated: "What is still",
  guided: "On",
  off: "Off",
};
