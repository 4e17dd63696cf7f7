"""x"""
NAMES = ()
def bring(l, n): pass
