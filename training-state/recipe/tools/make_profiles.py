import pathlib
src=pathlib.Path("/work/wt/training/src/boneage/profiles/compact.toml").read_text()
head=src[:src.index("[[attention.phases]]")]
tail=src[src.index("[regions]"):]
def phase(**k):
    return "[[attention.phases]]\n"+"\n".join(f"{a} = {b}" for a,b in k.items())+"\n\n"
base=dict(films='"squeezed"',epochs=6,batch=32,optimizer='"adamw"',weight_decay=0.01,learning_rate='2e-3',schedule='"one_cycle"',average=0.995,loss='"huber"')
def make(name, phases, head=head, lite=False, extra=()):
    h=head.replace('heat_map_after = "block_13_expand_relu"\n',"").replace('name = "compact"',f'name = "{name}"').replace("input = [384, 288]","input = [160, 120]")
    if lite:
        h=h.replace('backbone = "MobileNetV2"','backbone = "EfficientNetLite2"').replace("mobilenet_v2_notop","efficientnet_lite2_notop")
    for a,b in extra: assert a in h; h=h.replace(a,b)
    t=tail.replace('backbone = "MobileNetV2"','backbone = "EfficientNetLite2"') if lite else tail
    pathlib.Path(f"/work/runs/profiles/{name}.toml").write_text(h+"".join(phase(**p) for p in phases)+t)
one=dict(base)
make("mnv2-one",[one])
make("lite2-one",[base|dict(epochs=4)],lite=True)
make("lite2-six",[one],lite=True)

make("mnv2-restarts",[base|dict(epochs=2),base|dict(epochs=2,learning_rate="1.2e-3"),base|dict(epochs=2,learning_rate="8e-4")])
make("mnv2-distribution",[one],extra=[('output = "linear"','output = "distribution"')])
make("mnv2-evened",[base|dict(evened=0.5)])
big=base|dict(epochs=6,input="[256, 192]")
dist=[('output = "linear"','output = "distribution"')]
make("mnv2-256",[big],extra=dist+[("input = [160, 120]","input = [256, 192]")])
make("lite2-256",[big|dict(epochs=4)],lite=True,extra=dist+[("input = [160, 120]","input = [256, 192]")])
